"""Every sentence the demo's pages make up themselves. Plain, short, polite; each ends with a next step."""

NO_PERSONA = "没有这个角色，请回到演示首页另选一个。"
NO_MESSAGE = "没有这条消息，请回到聊天页面再点一次。"
FOREIGN_PAGE = "这一步只能在演示页面里做，请打开演示页面再试。"
NOT_FOLLOWING = "您还没有关注，请先点“关注公众号”。"
FOLLOWS_ALREADY = "您已经关注了，可以直接发消息。"
NO_SUCH_BUTTON = "这个按钮已经没有了，请刷新页面再试。"
NOTHING_WRITTEN = "请先写点什么，再点“发送”。"
TOO_LONG = "一次最多写{most}个字，现在有{length}个字，请分几次发。"
TOO_MUCH = "上面几条还在等回应，请稍等一会儿再发。"
UNREADABLE = "这一步没有看懂，请刷新页面再试。"

PREPARING = "正在准备知识库，请稍等一会儿再问…"
FAULTY = "知识内容有错，现在答不了政策问题；其他的可以照常试。出错的文件和行写在日志里：{log}。改好以后请重新启动演示。"
WAITING = "已经发出，正在等乡校回应…"
RETRYING = "乡校没有回应，微信正在送第{number}次（共{most}次）…"
CUT = "演示：乡校已断线，现在发消息会看到微信的故障提示。"

FOLLOWED = "您关注了公众号"
SCANNED_TO_FOLLOW = "您扫了学校的二维码，关注了公众号"
SCANNED = "您扫了学校的二维码"
UNFOLLOWED = "您取消了关注，微信会通知乡校删除您的信息"
TAPPED = "您点了菜单“{name}”"
OPENS = "微信这时会打开：{address}"
NO_ANSWER = "乡校没有当场回复，微信里这里什么也不显示"
POSITION = "学校门口"

CHANNELS = {
    "sent": "用户发送",
    "reply": "当场回复",
    "service": "客服消息",
    "template": "模板消息",
    "subscription": "服务通知",
    "mass": "群发消息",
    "notice": "故障提示",
    "hint": "动作",
    "api": "接口调用",
}
OUTCOMES = {
    "shown": "显示给用户",
    "nothing": "什么也不显示",
    "fault": "答得不合规矩，显示故障提示",
    "unanswered": "没有等到可用的回应，显示故障提示",
}
NO_RESULT = "断开"
PRODUCT = "乡校"

WIRE_PUSH = "① 微信 → 乡校"
WIRE_PUSH_NOTE = "网上传的样子：内容已加密，并有签名"
WIRE_PUSH_PLAIN = "① 解密后"
WIRE_PUSH_PLAIN_NOTE = "信封打开以后，乡校读到的消息"
WIRE_ANSWER = "② 乡校 → 微信"
WIRE_ANSWER_NOTE = "网上传的样子"
WIRE_ANSWER_PLAIN = "② 解密后"
WIRE_ANSWER_PLAIN_NOTE = "信封打开以后，微信读到的答复"
WIRE_ATTEMPT = "（第{number}次送达）"
WIRE_NONE = "没有回应：{reason}"
WIRE_EMPTY = "（空）"
WIRE_JUDGEMENT = "③ 微信怎么处理"
WIRE_REASON = "{outcome}（{reason}）"
WIRE_ONLY_SUCCESS = "只回了 success"
WIRE_UNDER_WAY = "还在等回应"
WIRE_CALL = "乡校 → 微信接口"
WIRE_CALL_NOTE = "这条不是回复，由乡校主动调用接口发出：POST {path}，结果 {result}"
