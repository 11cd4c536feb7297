"""Everything that is said of draws."""

from __future__ import annotations

from typing import Final

# To families: why it came so.
RULE: Final = (
    "规则：上次抽签一门都没抽到的孩子先选，其余按随机数从小到大选。"
    "轮到谁，就从第一志愿往后看，哪门还有名额就给哪门，每个孩子最多一门。"
)
LEAD: Final = "{name}的抽签结果（{at}抽的）："
TURN: Final = "轮到第{turn}个选{missed}。"
MISSED: Final = "（上次没抽到，这次排在前面）"
ENDS: Final = {
    "got": "第{rank}志愿“{title}”：抽中了。",
    "no_room": "第{rank}志愿“{title}”：轮到时名额已经满了，最后一个名额给了第{last}个选的。",
    "no_places": "第{rank}志愿“{title}”：这次没有名额可抽。",
    "not_needed": "第{rank}志愿“{title}”：已经抽中别的志愿，这门不再保留。",
    "clash": "第{rank}志愿“{title}”：和已经有名额的课时间冲突，没有参加抽签。",
    "gone": "第{rank}志愿“{title}”：孩子已经不在这个学校，没有参加抽签。",
}
WAITING: Final = "没有抽中，按抽签的先后排候补，有名额会通知您。"
PROOF: Final = "抽签种子：{seed}\n您家的编号：{key}\n算出的随机数：{number}"
NEXT: Final = "种子和规则公开，谁都能重算。有疑问请带着这段话找学校核对；现在的情况回复“我的报名”看。"
MORE: Final = "{names}的结果这里放不下，请在小程序里看。"
NOTHING: Final = "您的孩子还没有抽签结果。报了抽签的课，抽完会通知您；现在的情况回复“我的报名”看。"

# The push. No names of other children, no turn, no rank.
SUBJECT: Final = "课后服务抽签结果"
GOT_TEXT: Final = "{names}抽中了课后服务“{programme}”，已经报上。回复“抽签结果”看是怎么抽的；不想上了回复“退报”。"
GOT_LINE: Final = "{names}抽中了“{programme}”。"
NOTE: Final = "回复“抽签结果”看详情"
WAITING_TEXT: Final = (
    "{names}的课后服务这次没有抽中，已经按抽签的先后排了候补，有名额会通知您。回复“抽签结果”看是怎么抽的。"
)
WAITING_LINE: Final = "{names}的课后服务没有抽中，已经排候补。"
ASIDE_TEXT: Final = "{names}登记的课后服务“{programme}”没有参加抽签。回复“抽签结果”看原因，有疑问请问班主任。"
ASIDE_LINE: Final = "{names}的“{programme}”没有参加抽签，回复“抽签结果”看原因。"

# In the console.
HELD: Final = "抽好了：{children}个孩子参加，{lucky}个抽中。结果会自动通知家长。"
NOTHING_WAITS: Final = "现在没有等抽签的报名，没有再抽。"
