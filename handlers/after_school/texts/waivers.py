"""What is said about waivers. Where others may look over a shoulder (a push, a title, a list) no word tells what it is
about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from handlers.after_school.domain.waivers import WaiverState

MENU: Final = "待办申请"
WAITS: Final = "要办的申请"
CHILD_HEADING: Final = "课后服务费用减免申请"
FEES_HEADING: Final = "课后服务费用减免"
RETENTION: Final = "课后服务的一件旧申请，结束满{days}天，删除"

# --------------------------------------------------------------------------------------------------------------- pushes
PUSH_SUBJECT: Final = "办理结果"
PUSH_LINE: Final = "有一项办理结果，请点开看。"
PUSH_TEXT: Final = "有一项办理结果，请点开看：回复“办理结果”，或打开小程序的“我的办理”。"
LAPSE_LINE: Final = "有一项办理结果快到期了，请点开看。"
LAPSE_TEXT: Final = "有一项办理结果快到期了，还需要的话请重新办理。回复“办理结果”看是哪一项，或打开小程序的“我的办理”。"

# -------------------------------------------------------------------------------------------------------------- states
FAMILY_STATES: Final[Mapping[WaiverState, str]] = {
    WaiverState.DRAFT: "还没有交上去",
    WaiverState.SUBMITTED: "已交，等学校核对",
    WaiverState.CHECKED: "已核对，等审批",
    WaiverState.GRANTED: "已同意",
    WaiverState.REFUSED: "没有同意",
    WaiverState.APPEALED: "已申诉，等另一位工作人员再审",
    WaiverState.LAPSED: "已到期",
    WaiverState.WITHDRAWN: "已撤回",
}
STAFF_STATES: Final[Mapping[WaiverState, str]] = {
    WaiverState.DRAFT: "等家里交齐",
    WaiverState.SUBMITTED: "等核对",
    WaiverState.CHECKED: "等审批",
    WaiverState.GRANTED: "已同意",
    WaiverState.REFUSED: "未同意",
    WaiverState.APPEALED: "等复审",
    WaiverState.LAPSED: "已到期",
    WaiverState.WITHDRAWN: "已撤回",
}
BEGUN: Final = "开始申请"
STEPS: Final[Mapping[WaiverState, str]] = {
    WaiverState.DRAFT: "退给家里补充",
    WaiverState.SUBMITTED: "交到学校",
    WaiverState.CHECKED: "核对好了",
    WaiverState.GRANTED: "同意",
    WaiverState.REFUSED: "没有同意",
    WaiverState.APPEALED: "家里申诉",
    WaiverState.LAPSED: "到期",
    WaiverState.WITHDRAWN: "撤回",
}
STATE_TAGS: Final[Mapping[WaiverState, str]] = {
    WaiverState.DRAFT: "plain",
    WaiverState.SUBMITTED: "bad",
    WaiverState.CHECKED: "bad",
    WaiverState.GRANTED: "good",
    WaiverState.REFUSED: "plain",
    WaiverState.APPEALED: "bad",
    WaiverState.LAPSED: "plain",
    WaiverState.WITHDRAWN: "plain",
}
NEXT_STEPS: Final[Mapping[WaiverState, str]] = {
    WaiverState.DRAFT: "请把材料交齐再提交。",
    WaiverState.SUBMITTED: "不用再做什么，有结果会告诉您。",
    WaiverState.CHECKED: "不用再做什么，有结果会告诉您。",
    WaiverState.GRANTED: "不用再做什么，到期前会提醒您。",
    WaiverState.REFUSED: "不同意这个结果，可以申诉一次，由另一位工作人员再审。",
    WaiverState.APPEALED: "不用再做什么，有结果会告诉您。",
    WaiverState.LAPSED: "还需要的话，请重新申请。",
    WaiverState.WITHDRAWN: "还需要的话，可以重新申请。",
}
REFUSED_FINAL: Final = "这是复审后的结果。有疑问请和学校或乡镇教育办公室联系。"
UNKNOWN_CATEGORY: Final = "（类别已不用）"
HOW: Final[Mapping[str, str]] = {"signed_paper": "签了字的纸", "by_phone": "电话里说的", "in_person": "当面说的"}

# -------------------------------------------------------------------------------------------------------------- faults
NO_CATEGORY: Final = "没有这个类别，或者现在不办这一类，请重新选择。"
NO_HOW: Final = "请选家里是怎么说的，再试一次。"
NO_TERM: Final = "没有这个学期，请刷新页面重新选。"
NO_VERDICT: Final = "请选同意还是不同意，再试一次。"
NO_CLAUSE: Final = "请写清依据的文件和条款，再试一次。"
BAD_DAYS: Final = "日期不对：最后一天不能早于第一天，请改正后再试。"
SINCE_EARLIER: Final = "新的规定要从现行规定开始那天之后起算，请改日期。"
BAD_PERCENT: Final = "减免比例请填1到100的整数。"
NOT_A_DATE: Final = "请填日期，例如2026-09-01。"
NO_FILE: Final = "请选一个Excel文件（.xlsx）再上传。"
NO_NUMBERS: Final = "表里没有找到身份证号那一列。请确认表头写着“身份证号”，再上传。"
NO_VALID_NUMBERS: Final = "身份证号那一列没有一个是对的。请把这一列设成文本格式，再上传。"
LIST_UNDONE: Final = "这份名单已经撤销过了，请刷新页面。"
LIST_NO_KIND: Final = "这一类没有官方名单，请重新选择。"
PUBLIC_OFF: Final = "没有文件要求公示，所以不生成公示名单。需要的话，请系统管理员在配置里写明依据。"
NOT_DUE: Final = "这个学期没有要退的费用，请刷新页面。"

# ---------------------------------------------------------------------------------------------- the family's own record
FIELD_CATEGORY: Final = "申请的类别"
FIELD_STATE: Final = "办到哪一步"
FIELD_AT: Final = "申请时间"
FIELD_NOTE: Final = "您写的情况"
FIELD_REASON: Final = "学校的说明"
FIELD_APPEAL: Final = "您的申诉"
FIELD_TERMS: Final = "有效的学期"
FIELD_PERCENT: Final = "减免比例"
FIELD_PICTURES: Final = "交来的照片（张）"
FIELD_TERM: Final = "学期"
NONE: Final = "没有"
COMMA: Final = "、"
PERCENT: Final = "{percent}%"
GONE: Final = "（已离校）"


def next_step(state: WaiverState, *, can_appeal: bool) -> str:
    """What the family can do."""
    return REFUSED_FINAL if state is WaiverState.REFUSED and not can_appeal else NEXT_STEPS[state]


# ------------------------------------------------------------------------------------------------------------- the chat
NO_CHILD: Final = "还没有绑定孩子，不能申请。请先回复“绑定”，绑定好孩子再来。"
WHICH_CHILD: Final = "要为哪个孩子申请？请回复数字："
NOTHING_WAIVED: Final = "乡镇现在没有登记课后服务费用的减免办法，请问班主任或学校。别的问题可以直接发给我。"
WHICH_KIND: Final = "下面是乡镇规定可以减免的情况，请回复数字；都不是就回复“退出”："
KIND: Final = "{title}（减{percent}%）"
KIND_LISTED: Final = "{title}（减{percent}%，名单里已有，不用交材料）"
SURE: Final = (
    "为{child}申请：{title}，按规定减{percent}%。\n依据：{clause}\n{how}\n"
    "确定要申请，请回复“确认”；不申请就回复“退出”。"
)
SURE_LISTED: Final = "名单里已有您家，不用交材料，学校核对后审批。"
SURE_PAPER: Final = "要交的材料：{evidence}。学校只让核对和审批的人看，有结果后{days}天删除照片。"
SURE_AGAIN: Final = "请回复“确认”申请，或回复“退出”不申请。"
HANDED_IN: Final = "已经交给学校，有结果会告诉您。回复“办理结果”可以看办到哪一步。"
SEND_PICTURE: Final = (
    "请把材料拍照，直接发到这里，最多{most}张；发完回复“提交”。\n"
    "也可以在小程序“我的办理”里交，或把材料带给班主任代办。\n{stays}"
)
STAYS: Final = "照片发到这里，微信的聊天记录里也会留一份；交好后您可以长按那张照片删掉。"
PICTURE_KEPT: Final = "收到了，这件申请现在有{count}张照片。还有材料就接着发；发完了回复“提交”，交给学校。"
PICTURE_ADDED: Final = "收到了，已经添到您交的申请里，现在有{count}张照片。还有就接着发；没有了回复“提交”。"
PAPER_SUBMITTED: Final = (
    "已经交给学校，有结果会告诉您。聊天里的照片您现在可以长按删掉，不影响申请。回复“办理结果”可以看办到哪一步。"
)
PAPER_OVER: Final = "这件申请现在不能再添照片了。回复“办理结果”可以看办到哪一步。"
PAPER_AGAIN: Final = "刚才那张照片没有收，请再发一次。"
PAPER_NOTHING: Final = "您家现在没有等着交材料的申请。要申请课后服务费用减免，请回复“申请减免”。"
PAPER_SEVERAL: Final = "等着交材料的申请不止一件，请到小程序“我的办理”里选一件交。"
PAPER_AWAY: Final = "照片没有取到，微信那边暂时没有回应。您的申请和先前的照片都在，请过几分钟再发一次这张照片。"
PAPER_GONE: Final = "这张照片在微信那边取不到了。请重新拍一张发来，再试一次。"
PAPER_TOO_LARGE: Final = "这张照片太大，收不了。请在手机上截个图，把截图发来。"
PAPER_UNREADABLE: Final = "这个图片打不开。请换成照片或截图，再发一次。"
OWN_LEAD: Final = "您家的办理："
OWN_NONE: Final = "您家现在没有在办的事。要申请课后服务费用减免，请回复“申请减免”。"
OWN_PAPER: Final = "请把材料交齐再提交：回复“交材料”，把照片发到这里。"
OWN_LINE: Final = "{child}：{title}，{state}。{terms}{reason}{next}"
OWN_TERMS: Final = "减{percent}%，用于{terms}，到{day}为止。"
OWN_REASON: Final = "学校说明：{reason}。"
OWN_APPEAL: Final = "不同意这个结果，可以回复“申诉”加上理由，例如：申诉 名单漏了我家。"
APPEAL_NOTHING: Final = "现在没有可以申诉的结果。回复“办理结果”看办到哪一步。"
APPEAL_SEVERAL: Final = "可以申诉的不止一件，请到小程序“我的办理”里选一件申诉。"
APPEALED: Final = "申诉已经交上去，由另一位工作人员再审，有结果会告诉您。"
WITHDRAWN: Final = "已经撤回，交来的照片也删了；发在聊天里的，请您长按删掉。以后需要，可以回复“申请减免”重新申请。"
WITHDRAW_NOTHING: Final = "现在没有可以撤回的申请。回复“办理结果”看办到哪一步。"
WITHDRAW_SEVERAL: Final = "可以撤回的不止一件，请到小程序“我的办理”里选一件撤回。"
NOT_A_GUARDIAN: Final = "减免由家长申请。您不是家长身份的话，请回复“切换身份”，或在电脑后台替家长登记。"

# ---------------------------------------------------------------------------------------------------------- the console
FILED: Final = "已经交上去，由学校和乡镇的工作人员办理，结果直接告诉家里。"
CHECKED: Final = "已核对，请另一位工作人员审批。"
GIVEN_BACK: Final = "已退给家里补充，家里会收到消息。"
DECIDED: Final = "已办好，家里会收到消息。"
REFUNDED: Final = "已记下退费。"
RULE_SET: Final = "已登记，从{day}起照此办理。"
RULE_STOPPED: Final = "已停用，今天是可以申请的最后一天。"
LIST_BROUGHT: Final = (
    "读到{rows}行，其中系统里有{known}人；另有{unreadable}行的身份证号不对，没有算进来。原文件没有保存。"
)
LIST_GONE: Final = "已撤销，这份名单不再作数。"
SHOWN: Final = (("waiting", "要办的"), ("done", "办好的"), ("draft", "等家里交齐的"))
TERM: Final = "{year}年{name}"
