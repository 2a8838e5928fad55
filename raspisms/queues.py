"""Names of queues and jobs, for those who ring; the jobs themselves are in jobs.py."""

from __future__ import annotations

SENDING = "sending"
RECEIVING = "receiving"
UPKEEP = "upkeep"

# Which worker listens to what: a long campaign never holds up replies, reports and checks.
SENDING_WORKER = (SENDING,)
RECEIVING_WORKER = (RECEIVING, UPKEEP)

DRAIN = "raspisms.jobs.drain"
APPLY_CALLBACKS = "raspisms.jobs.apply_callbacks"
CHECK_PHONE = "raspisms.jobs.check_phone"

# Seconds after which a job is ended: more than its own budget plus one slow request.
DRAIN_SECONDS = 120
APPLY_SECONDS = 120
CHECK_SECONDS = 90
