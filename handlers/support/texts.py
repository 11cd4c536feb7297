"""Every sentence of the support capability. Sentences for a child in danger come from the knowledge's own texts."""

GREETING = (
    "您好，这里是乡校，帮您查上学报名、课后服务、收费减免这些政策，答案都写明出处。\n"
    "直接打字问就行，比如“课后服务多少钱”。\n先回复“我在”加地名（比如“我在宿城区”），我会按您那里的规定答。\n"
    "回复“帮助”看怎么用，回复“人工”找值班老师。"
)
BACK_AGAIN = "您已经关注了，直接打字问就行。回复“帮助”看怎么用。"
HELP = (
    "我能帮您：\n1. 查政策：直接打字问，比如“小学报名要什么材料”。\n2. 我在宿城区：记下您的地方；“换地方”可以改。\n"
    "3. 有用、没用：告诉我答得好不好。\n4. 人工：找值班老师；“我的提问”看进展。\n"
    "5. 绑定：登记您是哪个孩子的家长；登记后“我的孩子”看孩子。\n"
    "6. 报名：给孩子报课后服务；“我的报名”看情况，“退报”退课。\n7. 退出：不想接着办了。\n"
    "孩子有危险请马上打110、120。"
)
HELP_DUTY = (
    "您是值班老师，可以这样办：\n待办：看没办完的\n查看 12：看12号全文\n受理 12：告诉大家您在办\n"
    "回复 12 文字：答复提问的人\n关闭 12：办完了\n\n"
)
HELP_DECIDING = "您是老师，可以这样办：\n绑定申请：看哪些家长在等您确认\n同意 1234、拒绝 1234：按编号办\n\n"
HELP_TASKS = "学校的事可以这样办：\n我的任务：看要办的定期工作，办好了记一下\n\n"
HELP_ALARMS = "孩子有危险的事：\n紧急事项：看没办结的\n接手 3：3号由您跟进\n\n"
HELP_HATS = "您有两个身份，回复“切换身份”在老师和家长之间换。\n\n"
MENU = (
    "您可以：\n· 直接打字问政策，比如“课后服务几点结束”\n· 回复“我的地方”“换地方”\n· 回复“我的提问”看进展\n"
    "· 回复“人工”找值班老师\n也可以点下面的菜单。"
)
LEFT = "好的，这件事先不办了。有事直接打字，或回复“帮助”。"
NOTHING_TO_LEAVE = "您现在没有正在办的事。直接打字问就行，或回复“帮助”。"

ASK_TOPIC = "好的，我帮您找值班老师。请用一条消息写清：什么事、哪所学校几年级、想让老师做什么。不想找了就回复“退出”。"
ASK_TOPIC_NOBODY = (
    "现在没有安排值班老师，我先帮您登记，有人值班后会看到。急事请直接打电话给班主任或学校。\n"
    "请用一条消息写清：什么事、哪所学校几年级。不想登记就回复“退出”。"
)
ASK_MORE = "请接着用一条消息写清时间、地点和经过，我马上登记给值班老师。不想登记就回复“退出”。"
REGISTERED = "已经登记，编号{number}，{owner}会看到并答复您。急事请直接打电话给班主任。回复“我的提问”看进展。"
REGISTERED_NOBODY = "已经登记，编号{number}，有人值班后会看到。急事请直接打电话给班主任或学校。回复“我的提问”看进展。"
OWNER = "值班老师（{name}）"
SOMEBODY = "值班老师"
URGENT_TOLD = "\n我已经告诉值班老师（编号{number}）。"

MINE_EMPTY = "您还没有找过值班老师。要找就回复“人工”。"
MINE_LINE = "{number}号（{when}，{state}）{text}"
MINE_REPLY = "　老师答复：{text}"
MINE_TAIL = "要补充就再回复“人工”。"
STATES = {
    "open": "等老师看",
    "urgent": "等老师看",
    "claimed": "老师在办",
    "answered": "已答复",
    "closed": "已办完",
}
REPLY_ARRIVED = "【值班老师答复{number}号】\n{text}\n还有问题就回复“人工”。"

NOTICE = "新的人工提问{number}号（{asker}）：{text}\n回复“查看 {number}”看全文，“回复 {number} 文字”答复。"
NOTICE_URGENT = (
    "【紧急】{number}号，可能关系到孩子安全（{asker}）。请马上回复“查看 {number}”看全文并联系学校；有危险打110。"
)
TODO_EMPTY = "现在没有待办。有新的会告诉您；也可以随时回复“待办”查看。"
TODO_LEAD = "待办{count}件："
TODO_LINE = "{number}号{mark}（{age}，{asker}，{state}）{text}"
TODO_TAIL = "回复“查看 编号”看全文，“回复 编号 文字”答复，“关闭 编号”办结。"
TODO_MORE = "还有{count}件，办完前面的再回复“待办”。"
URGENT_MARK = "【紧急】"
SHOWN = (
    "{number}号{mark}\n{asker}　{place}\n{when}　{state}\n{text}\n{more}"
    "回复“回复 {number} 文字”答复，“关闭 {number}”办结。"
)
SHOWN_REPLY = "\n已答复：{text}"
SHOWN_MORE = "后面还有，回复“查看 {number} {page}”接着看。\n"
PLACE_UNKNOWN = "没说在哪里"
CLAIMED = "好的，{number}号由您办。回复“回复 {number} 文字”答复。"
REPLIED = "{number}号已答复，会发给提问的人；他要是收不到，下次来时会先看到。办完了就回复“关闭 {number}”。"
REPLIED_NOBODY = "{number}号已记下您的答复。提问的人已经取消关注，收不到了。办完了就回复“关闭 {number}”。"
CLOSED = "{number}号已办结。回复“待办”看还有没有别的。"
REPLY_HOW = "请写上编号和要说的话，比如“回复 12 明天来学校办”。"
NUMBER_HOW = "请写上编号，比如“查看 12”。回复“待办”看编号。"
NOT_THERE = "没有这个编号，或不归您办。回复“待办”看您的待办。"
ALREADY_CLOSED = "{number}号已经办结，不能再改。回复“待办”看别的。"

PICTURE = "图片我看不懂。请打字告诉我想问什么；要给老师看，请先回复“人工”登记。"
VOICE = "语音我听不懂，请打字告诉我；点输入框上的话筒，可以把说的话变成字。也可以回复“人工”找老师。"
VIDEO = "视频我看不懂。请打字告诉我想问什么，或回复“人工”找老师。"
LOCATION = "收到您的位置了，不过我只认地名。请回复“我在”加地名，比如“我在宿城区”。"
LINK = "链接我打不开。请打字告诉我想问什么，或回复“人工”找老师。"

MENU_MINE = "我的提问"
MENU_PERSON = "找值班老师"
MENU_HELP = "怎么用"

ASKER = "微信用户{tag}"
ASKER_GONE = "已取消关注的用户"
AGE_MINUTES = "{count}分钟前"
AGE_HOURS = "{count}小时前"
AGE_DAYS = "{count}天前"
AGE_NOW = "刚才"
