"""Work that comes again and again: a rule says when, a charge says whose it is.

A rule belongs to a township and is about classes, schools or the township itself; each of them gets one task for each
time (`occurrence`): open → done, or open → late → escalated to the next one up, who may then do it too. Days are
counted in the calendar of the school. A planner writes tasks ahead and may run twice; a corrected calendar moves what
is not done.
"""
