"""Names of queues and jobs, for those who ring; the jobs themselves are in jobs.py."""

from __future__ import annotations

SENDING = "sending"
RECEIVING = "receiving"
UPKEEP = "upkeep"
LISTS = "lists"

# Which worker listens to what: a long campaign never holds up replies, reports and checks. Lists of people
# are worked on when nothing else waits, and let what comes meanwhile pass.
SENDING_WORKER = (SENDING,)
RECEIVING_WORKER = (RECEIVING, UPKEEP, LISTS)

DRAIN = "raspisms.jobs.drain"
APPLY_CALLBACKS = "raspisms.jobs.apply_callbacks"
CHECK_PHONE = "raspisms.jobs.check_phone"
WORK_IMPORT = "raspisms.jobs.work_import"
WORK_CAMPAIGN = "raspisms.jobs.work_campaign"
POST_NOTICES = "raspisms.jobs.post_notices"

# Jobs on a queue server that somebody else can write to must not be code: no pickle, names of a closed list
# (jobs.ListedJob), and ids.
SERIALIZER = "rq.serializers.JSONSerializer"

# Seconds after which a job is ended: more than its own budget plus one slow request.
DRAIN_SECONDS = 120
APPLY_SECONDS = 120
CHECK_SECONDS = 90
NOTICE_SECONDS = 300
# It stops by itself long before; what is left goes on in the next one.
LIST_SECONDS = 600
