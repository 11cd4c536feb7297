"""Every sentence of the policy capability. The answers themselves come from the knowledge."""

OWN_HINT = "想看自己孩子的情况，请先回复“绑定”登记。"

ASK_PLACE = "请告诉我您在哪个区、镇或哪所学校，直接回复名字就行，比如“宿城区”。不想改就回复“退出”。"
PLACE_SET = "记下了，以后按{place}的规定回答您。要改就回复“换地方”。现在可以接着问了。"
PLACE_SET_UNKNOWN = (
    "记下了，您在{place}。我这里还没有{place}的方案，会先告诉您别处怎么规定的，供您参考；"
    "要准信请问学校或当地教育办公室。要改就回复“换地方”。"
)
PLACE_SHOWN = "您现在的地方是{place}，我按这里的规定回答。要改就回复“换地方”，不想留就回复“清除地方”。"
PLACE_OF_SCHOOL = "您还没有说在哪里，我先按孩子学校所在的{place}回答。要改就回复“换地方”。"
PLACE_MISSING = "您还没有告诉我在哪里。回复“我在”加地名就行，比如“我在宿城区”。"
PLACE_CLEARED = "已经清除，我不再记着您在哪里。要重新设就回复“换地方”。"
PLACE_NOT_A_NAME = "这不像地名。请只写区、镇或学校的名字，比如“宿城区”。"

NO_SUCH_OPTION = "刚才只有{count}项，请回复1到{count}的数字，或直接打字问别的。"

HELPFUL_THANKS = "谢谢您告诉我。还有想问的，直接打字就行。"
UNHELPFUL_WHY = "对不起没帮上忙。是哪里不好？回复数字告诉我："
UNHELPFUL_TAIL = "也可以换个说法再问，或回复“人工”找老师。"
REASON_THANKS = "记下了，我们会改。您可以换个说法再问，或回复“人工”找老师。"
NOTHING_TO_RATE = "刚才没有答过您什么。请先打字问我，再告诉我有没有用。"
REASON_LABELS = {"wrong": "答错了", "missing": "没答到", "unclear": "看不懂", "other": "其他"}

MENU_HOW = "怎么问"
MENU_ENROL = "报名入学"
MENU_PAPERS = "报名材料"
MENU_TIME = "几点结束"
MENU_FEE = "收费多少"
MENU_SIGN_UP = "怎么报名"
MENU_WAIVER = "困难减免"
MENU_PLACE = "我的地方"
HOW_TO_ASK = (
    "直接打字问我就行，比如：\n“小学报名要什么材料”\n“课后服务几点结束”\n“困难家庭能减免吗”\n"
    "先告诉我您在哪里会答得更准：回复“我在”加地名。\n我没答好，回复“没用”；答得好，回复“有用”；找老师，回复“人工”。"
)
# What a tap on the menu asks.
MENU_QUESTIONS = {
    "ask.enrol": "小学一年级什么时候报名",
    "ask.papers": "报名要什么材料",
    "ask.time": "课后服务几点结束",
    "ask.fee": "课后服务多少钱",
    "ask.sign_up": "课后服务怎么报名",
    "ask.waiver": "困难家庭课后服务能减免吗",
}
