"""The check at the beginning of a term: last term's list against who has come, class by class, every school day until
every child is accounted for; what became of each one who did not come; and the rates that follow from it.

A case goes absent → located → returned, transferred (with proof), ill (until a day) or other; it climbs from the class
to the school, the centre school and the township by the township's dated rule.
"""
