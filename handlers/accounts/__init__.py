"""Who is who: townships, schools, classes by school year, pupils, guardians, staff with dated appointments; how they
prove who they are (invitation, roster, confirmed phone number), and the sessions they come with.

A binding request is pending → approved | rejected | withdrawn; an invitation open → used | revoked | expired; a pupil
enrolled → left | graduated; an appointment runs from a day to a day.
"""
