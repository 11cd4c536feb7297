"""What delivery itself says to people: when several messages of a day become one."""

SENDER = "学校"
SEE_PAGE = "请点开查看"
DIGEST_SUBJECT = "有{count}件事告诉您"
DIGEST_LINE = "{number}. {line}"
DIGEST_JOINT = "；"
DIGEST_END = "要看全部，请回复“我的通知”或“我的提醒”。"
LINK = "{text}\n{url}"
