"""The school calendar: terms, holidays, make-up days and local days, and counting in school days, for everybody who
plans something. A day is a school day or not; in a year without a published table it is one provisionally.
"""
