"""Every sentence about children's data, the notice among them.

Whoever changes what matters in the notice (purposes, scope, term, who gets it) raises `NOTICE_NUMBER`: families are
then asked anew. Another wording of the same needs nothing.
"""

from __future__ import annotations

from typing import Final

# ---------------------------------------------------------------------------------------------------------- the notice
NOTICE_NUMBER: Final = "2"
NOTICE_TITLE: Final = "儿童个人信息处理规则（告知书）"

ITEM_TITLES: Final = {
    "child.identity": "姓名、性别、出生日期、学籍号和身份证件号",
    "child.schooling": "学校、班级和升班转学情况",
    "child.guardians": "监护人是谁、怎么联系",
    "child.invitation": "发给家里的绑定邀请码",
    "child.protection": "学校依法作的保护记录",
    "child.import": "学校导入名册的记录",
    "child.consent": "您的授权决定",
    "child.statement": "您申请绑定时写的说明",
    "child.reminders": "用微信发与孩子有关的提醒",
    "child.sign_up": "在网上替孩子报名自愿项目",
    "child.waiver": "您申请少交或免交费用时写的情况、交的材料",
    "child.fees": "课后服务该交多少、退多少",
    "child.service_days": "课后服务的点名、请假、接送和结算",
    "child.term_check": "开学时有没有到校、没到校的怎么联系的",
    "child.pictures": "孩子的照片和录音",
    "child.calls": "微信联系不上时，学校怎么告知了家里",
    "child.contacts": "学校依法记的家校联系",
    "child.family_word": "老师每月用微信说给您的一句话、约好的通话",
    "child.notices": "学校通知发给了谁、看过没有、回执怎么填",
    "person.wechat": "微信账号标识",
    "person.session": "登录状态",
    "person.messages": "发出和回复的消息",
    "person.chat": "说过的地方、问过的问题",
    "person.hand_over": "转人工的问题",
    "staff.appointment": "任职和班级交接",
    "staff.task": "按月按周要做的事、发给班里的提醒",
    "staff.credential": "后台登录凭据",
    "audit": "谁看过、改过资料的记录",
}

# Title and text. Filled in: duty and consent (titles of items), storage, term, officer, officer_phone, complaint.
NOTICE_SECTIONS: Final = (
    (
        "一、谁在处理、为了什么",
        "孩子就读的学校和乡镇教育办公室通过“乡校”处理孩子的信息，只为三件事：管好学籍和入学，联系上监护人、照看孩子安全，"
        "以及在您同意时提供提醒、网上报名等方便。不打广告，不卖信息，不用来给孩子排名、评分。",
    ),
    (
        "二、收集什么",
        "1. 依法必须记录，不以同意为前提：{duty}。依据是义务教育法、未成年人保护法规定的学籍、联系和保护职责。\n"
        "2. 您同意才使用：{consent}。其中现在还没有开办的，开办前也按您的决定来。",
    ),
    (
        "三、放在哪里、谁能看",
        "存放在{storage}，不传到境外。证件号、电话、出生日期加密保存，名单里只显示一部分。只有本班班主任、学校和乡镇的负责人"
        "按职责查看，查看完整证件号和电话都留有记录。除法律要求外，不提供给别人。",
    ),
    (
        "四、保存多久",
        "孩子在校期间一直保存；毕业或离校半年后封存，满{term}后抹去能认出孩子的内容。"
        "靠您同意保存的内容，您一撤回就删除。",
    ),
    (
        "五、您可以不同意",
        "不同意、以后撤回，都不影响孩子入学、上课、评优和任何依法应享受的待遇，学校也不会因此区别对待。"
        "只是提醒、网上报名等要改用纸质或电话办理。依法必须做的学籍、考勤、家校联系和强制报告照常进行。"
        "有几位监护人时，任何一位不同意或撤回，就按不同意办理。",
    ),
    (
        "六、您的权利",
        "您可以随时查看、要一份孩子的资料，请学校更正写错的，撤回同意，要求删除。"
        "在服务号回复“儿童信息授权”“孩子的资料”“撤回授权”，或在小程序里办理；不用手机的，可以找班主任签纸质表。",
    ),
    (
        "七、有问题找谁",
        "负责人：{officer}，电话：{officer_phone}。不满意可向{complaint}投诉。"
        "万一发生泄露，我们会尽快告诉您，并说明怎么补救。",
    ),
    ("八、内容变了怎么办", "目的、范围、存放地点或期限有变化时，我们会重新请您决定；在您决定以前，按不同意办理。"),
)

# At most 300 characters once filled in: what fits a chat bubble and is really read.
NOTICE_SHORT: Final = (
    "【儿童信息告知】为办理学籍、联系家长、照看安全，学校依法记录孩子的身份、就读和监护人信息；"
    "提醒、网上报名、照片等，您同意才用。\n"
    "存放：{storage}。离校{term}后抹去身份，撤回同意即删除。\n"
    "不同意不影响入学上课，改用纸质或电话办理。任何一位监护人不同意，就按不同意办。\n"
    "您可随时查看、更正、撤回、要求删除。负责人：{officer}（{officer_phone}）；投诉：{complaint}。"
)
TERM_YEARS: Final = "{count}年"
TERM_DAYS: Final = "{count}天"
BETWEEN: Final = "；"

# ------------------------------------------------------------------------------------------------------------ download
# Said with every copy of a child's data, word for word, whether anything was left out or not.
LEFT_OUT: Final = (
    "这份资料不含学校依法单独保管的保护类记录（不论有没有），也不含其他人的个人信息。"
    "对内容有疑问，请联系{officer}（{officer_phone}）。"
)
DATA_TITLE: Final = "孩子的资料"
DATA_MADE: Final = "生成时间：{at}"
DATA_FILE_NAME: Final = "孩子的资料-{day}.html"
DATA_NONE: Final = "没有记录"
GROUNDS: Final = "各项资料的依据"
GROUND_ITEM: Final = "资料"
GROUND_BASIS: Final = "依据"
BASIS_TITLES: Final = {"duty": "法定职责", "consent": "监护人同意"}

SECTION_CONSENT: Final = "您的授权决定"
FIELD_AT: Final = "时间"
FIELD_DECISION: Final = "决定"
FIELD_VERSION: Final = "告知版本"
FIELD_CHANNEL: Final = "渠道"
CHANNELS: Final = {"chat": "服务号", "api": "小程序", "paper": "纸质表，老师代为登记", "restored": "恢复备份时重做"}
DECISIONS: Final = {"given": "同意", "refused": "不同意", "withdrawn": "撤回"}

# ------------------------------------------------------------------------------------------------------------- standing
STANDINGS: Final = {
    "unasked": "还没有答复",
    "given": "已同意",
    "refused": "未同意",
    "withdrawn": "已撤回",
    "outdated": "告知内容已更新，请重新决定",
}
TOLD_PAPER: Final = (
    "您{day.year}年{day.month}月{day.day}日签的纸质表已登记：{name}的信息授权，您选的是“{decision}”。"
    "不是您签的，或想改，请回复“儿童信息授权”，也可以问班主任。"
)
BY_ANOTHER: Final = "孩子的另一位监护人没有同意，所以现在按不同意办理。"

# ----------------------------------------------------------------------------------------------------------------- chat
NOT_A_GUARDIAN: Final = "这项功能给已绑定孩子的家长使用。您还没有绑定孩子，请先回复“绑定”，按提示办理。"
OTHER_HAT: Final = "您现在用的是教职工身份。请先回复“切换身份”，换成家长身份后再办理。"
NO_CHILD: Final = "没有查到您名下的孩子，请先回复“绑定”，或联系班主任核对。"
CHOOSE_CONSENT: Final = "要给哪个孩子办理信息授权？请回复序号。"
CHOOSE_WITHDRAW: Final = "要撤回哪个孩子的授权？请回复序号。"
CHOOSE_DATA: Final = "要看哪个孩子的资料？请回复序号。"
CHILD_LABEL: Final = "{name}（{school}{school_class}）"
NOW: Final = "{name}：{standing}。"
ASK: Final = "请回复“同意”或“不同意”；看全文回复“全文”，不办了回复“退出”。"
ASK_AGAIN: Final = "没看明白您的决定。请回复“同意”或“不同意”；看全文回复“全文”，不办了回复“退出”。"
FULL_PART: Final = "{text}\n（第{page}/{pages}页）{how}"
FULL_MORE: Final = "回复“下一页”接着看，或直接回复“同意”“不同意”。"
FULL_END: Final = "看完了。请回复“同意”或“不同意”。"
CHANGED_MEANWHILE: Final = "告知内容刚刚更新了，请看新的内容再决定。\n\n"
AGREED: Final = (
    "已记下：您同意把{name}的信息用于提醒、报名等自愿项目。{other}"
    "想撤回，随时回复“撤回授权”；要看资料，回复“孩子的资料”。"
)
REFUSED: Final = (
    "已记下：您不同意。{name}的入学、上课不受影响，依法必须的学籍和联系照常。改主意了，随时回复“儿童信息授权”。"
)
WITHDRAW_ASK: Final = (
    "撤回{name}的授权后：\n删除并停用：{gone}。\n依法保留：{kept}。\n"
    "孩子入学、上课不受影响。确认撤回吗？请回复“确认”或“不撤回”。"
)
WITHDRAW_AGAIN: Final = "请回复“确认”撤回授权，或回复“不撤回”保持原样。"
WITHDRAWN: Final = "已撤回{name}的授权，靠同意保存的内容已删除。以后想恢复，回复“儿童信息授权”。"
NOT_WITHDRAWN: Final = "好的，授权保持原样。要查看，回复“孩子的资料”。"
SUMMARY: Final = (
    "{name}的资料（概要）\n学校班级：{school}{school_class}\n信息授权：{standing}\n已有内容：{sections}\n"
    "{left_out}\n要完整的一份：打开小程序，进入“我的孩子”，点“下载资料”；不用小程序的，请联系上面的负责人。"
)
SECTION_COUNT: Final = "{title}{count}项"
COMMA: Final = "、"
STOP: Final = "。"
RENEW: Final = "提醒：儿童个人信息的告知内容有更新，要请您重新决定。请回复“儿童信息授权”查看；决定以前按不同意办理。"

# ----------------------------------------------------------------------------------------------------------------- api
ERASED: Final = "靠同意保存的内容已删除。依法保留的内容，到期会自动抹去。"
ERASURE_PREVIEW: Final = "还没有删除。确认后会删除靠同意保存的内容，依法必须保留的不变；确定要删，请再提交一次并确认。"

# -------------------------------------------------------------------------------------------------------------- console
TODO_UNANSWERED: Final = "还没答复信息授权的孩子"
RETENTION_MENU: Final = "到期清理"
CONSENT_MENU: Final = "信息授权"
FORM_IS_OLD: Final = "这份表上的告知内容已经不是现在用的。请打印新的表，请家长看过再签。"
FORM_DECISIONS: Final = (("given", "同意"), ("refused", "不同意"))
GUARDIAN_LABEL: Final = "{name}（{relation}）"
EFFECT_SIGNED: Final = "{guardian}在{day.year}年{day.month}月{day.day}日签字：{decision}。"
EFFECT_GIVEN: Final = "没有别的监护人反对时，提醒、网上报名、照片这些自愿项目可以使用孩子的信息。"
EFFECT_REFUSED: Final = "靠同意保存的内容会删除，提醒、网上报名、照片这些自愿项目停用。入学、上课不受影响。"
EFFECT_TOLD: Final = "会发微信告诉{guardian}。不是本人签的，本人可以马上改。"
EFFECT_NOT_TOLD: Final = "{guardian}没有绑定微信，收不到通知，请当面说一声。"
EFFECT_WRITTEN: Final = "会记下是您登记的。"
FORM_TAKEN: Final = "已登记{guardian}为{child}签的表。请把纸质表收进学校的档案。"
CONSENT_SHEET: Final = "还没答复信息授权的学生"
CONSENT_HEAD: Final = ("学校", "班级", "姓名")
CONSENT_FILTER: Final = "学校：{school}"

# ------------------------------------------------------------------------------------------------------------ retention
RETENTION_LINE: Final = "{due_on}  {what}（{subject}）"
RETENTION_SEAL: Final = "封存离校学生的资料"
RETENTION_REDUCE: Final = "抹去能认出离校学生的内容"
RETENTION_REMINDERS: Final = "删除满90天的重新授权提醒记录，{count}条"
RETENTION_FILES: Final = "删除到期的图片和文件"
RETENTION_FAILED: Final = "没有办成，下次再试：{subject}"
RETENTION_NOTHING: Final = "没有到期的资料，不用处理。"
RETENTION_DRY: Final = "共{count}项到期。这次只是查看，没有改动；去掉 --dry-run 再运行才会处理。"
RETENTION_DONE: Final = "已处理{count}项。"
