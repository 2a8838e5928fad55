"""Numbers that make something happen, all in the range kept for fiction (06 39 98 xx xx).

    +336399800NN   a final status; see STATUSES
    +336399801NN   a fault while sending; see FAULTS
    +336399802NN   a way in which reports arrive; see MANNERS

Every other number is delivered. The control page /sandbox/magic lists them.
"""

from __future__ import annotations

STATUSES = {
    "+33639980001": "NOT_DELIVERED",
    "+33639980002": "NOT_ALLOWED",
    "+33639980003": "BLACKLISTED_NUMBER",
    "+33639980004": "BAD_DESTINATION",
    "+33639980005": "UNKNOWN_DELIVERY",
    "+33639980006": "UNDEFINED",
    "+33639980007": "EXPIRED",
    "+33639980008": "OUT_OF_DATE",
    "+33639980009": "ANTI_FLOODING",
    "+33639980010": "INVALID_DESTINATION_ADDRESS",
    "+33639980011": "PROCESSED",
    "+33639980012": "TRANSMITTED",
    "+33639980013": "ISP_SEND",
    "+33639980014": "READ",
    "+33639980015": "SPAM_PRESUMPTION",
    "+33639980016": "NOT_DELIVERABLE",
    "+33639980017": "BUSY",
    "+33639980018": "REFUSED",
    "+33639980019": "SOMETHING_NEW",
    "+33639980020": "OPENED",
    "+33639980021": "CLICKED",
}

# Once for a request_id: the repetition succeeds (or is answered with 182 where the first was accepted).
FAULTS = {
    "+33639980101": "500_html_once",
    "+33639980102": "502_html_once",
    "+33639980103": "429_once",
    "+33639980104": "438_once",
    "+33639980105": "hang_once",
    "+33639980106": "cut_before_once",
    "+33639980107": "cut_after_once",
    "+33639980108": "hang_after_once",
    "+33639980109": "garbage_after_once",
    "+33639980110": "empty_after_once",
    "+33639980111": "500_after_once",
    # Every time.
    "+33639980130": "401",
    "+33639980131": "403",
    "+33639980132": "code_101",
    "+33639980133": "code_113",
    "+33639980134": "code_104",
    "+33639980135": "code_103",
    "+33639980136": "code_181",
    "+33639980137": "code_106",
    "+33639980138": "code_107",
    "+33639980139": "code_121",
    "+33639980140": "code_189",
    "+33639980141": "code_208",
    "+33639980142": "code_1340",
    "+33639980143": "code_999",
    "+33639980144": "400_html",
    "+33639980145": "200_code_101",
    "+33639980146": "garbage",
    "+33639980147": "no_ticket",
    "+33639980148": "500_html",
    "+33639980149": "redirect",
    "+33639980150": "422_detail",
}

MANNERS = {
    "+33639980201": "form",
    "+33639980202": "bad_form",
    "+33639980203": "array",
    "+33639980204": "no_content_type",
    "+33639980205": "number_without_plus",
    "+33639980206": "old_keys",
    "+33639980207": "swapped",
    "+33639980208": "doubled",
    "+33639980209": "before_answer",
    "+33639980210": "none",
    "+33639980211": "text_plain",
    "+33639980212": "number_with_00",
    "+33639980213": "lower_case",
    "+33639980214": "failed_then_delivered",
    "+33639980215": "delivered_then_failed",
    "+33639980216": "aliases",
}
