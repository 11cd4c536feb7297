"""Alarms: a child may be in danger, and named people are told one after another until one says that they act.

An alarm is open → acknowledged → closed. Open, it climbs a ladder: on duty at the place → for a missing child its head
teacher → protection lead of the school → school leader → administrators of the township; whoever does not answer in
some minutes is joined by the next. Each step is a row, claimed once whatever runs beside it. Phone numbers to call are
shown, since WeChat may reach nobody; the messages name no child and nothing that happened.
"""
