"""The after-school service (课后服务): offers, sign-up, waivers, tally, days and bills; for families, head teachers and
the school's office. An enrolment's states are in `domain.states`."""
