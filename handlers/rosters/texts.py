"""Every sentence of the rosters capability."""

from __future__ import annotations

# ------------------------------------------------------------------------------------------------------ whole files
FILE_TOO_LARGE = "文件太大了，最多10 MB、三万行。请按学校分成几份再上传。"
FILE_IS_BOMB = "这个文件压缩得不正常，不敢打开。请在 Excel 里另存一份再上传。"
TOO_MANY_ROWS = "表里的行太多了，最多三万行。请删掉下面的空行，或按学校分成几份再上传。"
TOO_MANY_COLUMNS = "表里的列太多了。请删掉右边用不到的列再上传。"
NO_WORKBOOK = "这个文件打不开，可能坏了或加了密码。请在 Excel 里另存为“Excel 工作簿（.xlsx）”再上传。"
NO_XLSX = "只认 .xlsx 文件。请在 Excel 或 WPS 里另存为“Excel 工作簿（.xlsx）”再上传。"
NO_COLUMNS = "没有找到名单的表头。请下载模板，把名单粘贴到模板里再上传。"
COLUMNS_MISSING = "表头里缺少：{columns}。请对照模板补上这几列再上传。"
NO_ROWS = "表头下面没有名单。请填好后再上传。"
NO_FILE = "还没有选择文件。请先选一个 .xlsx 文件，再点上传。"

# ------------------------------------------------------------------------------------------------------- conditions
MOVE_NOT_ALLOWED = "这次导入已经处理过了，不能再这样做。请回到导入记录查看。"
STILL_RUNNING = "这次导入正在处理，请等进度走完再操作。"
BASE_CHANGED = "核对之后，系统里的资料又有了变动，刚才看到的结果不准了。请点“重新核对”，看过再导入。"
CONFLICTS_LEFT = "还有和系统里对不上的行。请改好重新上传，或勾选“跳过对不上的行”再导入。"
LATER_DEPENDS = "后面的工作已经用到这次导入的资料，不能整批撤销：{what}。请逐个在名单里改。"
FAULTS_LEFT = "有几行填得不对，所以都还没有导入。请下载带“问题”列的表，改好再上传。"
NO_SCHOOL = "还没有归您管的学校。请联系乡镇管理员。"
UPLOAD_DUE = "导入名单的明细满90天，删除明细，只留导入记录"
TOO_OLD = "这次导入的明细已经到期删除，不能再整批撤销。请逐个在名单里改。"
STALE = "处理到一半断了，什么都没有写进去。请重新上传。"
UNEXPECTED = "处理时出了意外，什么都没有写进去。请再试一次，还不行就联系管理员。"

DEPENDS = {
    "pupils": "{count}名孩子的资料后来改过",
    "people": "{count}位大人的资料后来改过",
    "classes": "{count}个班后来又有了别的孩子或安排",
    "placements": "{count}次分班或调班",
    "bound": "{count}位监护人已经绑定微信",
    "guardianships": "{count}条监护关系后来新增或改过",
    "appointments": "{count}条任职后来新增或改过",
    "bars": "{count}条禁止接近的登记",
    "invitations": "{count}份绑定邀请",
    "requests": "{count}个绑定申请",
    "identities": "{count}个微信身份",
    "imports": "后来又有{count}次导入改过同样的人",
    "consents": "{count}条同意记录",
    "other": "{count}项其他记录",
}

# ----------------------------------------------------------------------------------------------- remarks about a row
NEEDED = "没有填。请补上。"
NUMBER_DAMAGED = "Excel 把号码当成了数字，后几位已经丢了。请把这一格改成“文本”格式，照证件重新填。"
ZEROS_LOST = "这一格是数字格式，开头的0可能丢了。请核对，并改成“文本”格式。"
NAME_WRONG = "姓名不对。请填真实姓名，不要有数字。"
ID_WRONG = "身份证号不对，请照证件核对18位号码。"
ROSTER_NUMBER_WRONG = "学籍号不对，只能有字母、数字和短横线。请核对。"
PHONE_WRONG = "电话不对。请填11位手机号，或带区号的座机号。"
CLASS_WRONG = "班级看不懂。请写成“三年级2班”。"
DATE_WRONG = "日期看不懂。请写成“2017-05-06”。"
BIRTH_IN_FUTURE = "出生日期在今天之后。请核对。"
BIRTH_NOT_ID = "出生日期和身份证号里的不一样。请核对是哪一个错了。"
SEX_WRONG = "性别请填“男”或“女”。"
SEX_NOT_ID = "性别和身份证号里的不一样。请核对是哪一个错了。"
RELATION_WRONG = "关系看不懂。请从下拉框里选一个。"
RELATION_NEEDED = "没有填和孩子的关系。请从下拉框里选一个。"
YES_OR_NO = "请填“是”或“否”。"
GUARDIAN_NAME_NEEDED = "填了这位监护人的其他内容，却没有姓名。请补上。"
SEVERAL_ACTING = "实际照看的人只能有一位。请只留一个“是”。"
GUARDIAN_TWICE = "同一位监护人在这一行里出现了两次。请删掉一个。"
KIND_WRONG = "任职看不懂。请从下拉框里选一个。"
KIND_NOT_YOURS = "这项任职由乡镇管理员办理。请从表里删掉这一行，联系乡镇管理员。"
CLASS_NEEDED = "班主任和任课教师要写明班级。请补上。"
DAYS_REVERSED = "结束日期早于开始日期。请改正。"
SCHOOL_NEEDED = "没有填学校。请补上。"
SCHOOL_UNKNOWN = "没有找到这所学校，或不归您管。请核对校名。"
SCHOOL_LIKE = "没有找到这所学校。是不是“{name}”？请核对校名。"
SYSTEM_ID_WRONG = "系统编号不对，或不是您学校的。请不要改这一列，新来的人留空就行。"
SAME_AS_ROW = "和第{row}行是同一个人。请删掉一行。"
SAME_NUMBER_AS_ROW = "和第{row}行的号码一样。请核对是哪一行错了。"

# ------------------------------------------------------------------------------------------------------------ conflicts
TWO_CHILDREN = "身份证号和学籍号在系统里属于两个不同的孩子。请核对。"
NAME_DIFFERS = "这个号码在系统里登记的是另一个名字。要改名，请先导出名单，在带系统编号的表里改。"
ID_DIFFERS = "系统里同名同生日的孩子，身份证号不是这个。请核对是不是同一个人。"
ROSTER_NUMBER_DIFFERS = "系统里同名同生日的孩子，学籍号不是这个。请核对是不是同一个人。"
NUMBER_TAKEN = "这个号码在系统里是另一个人的。请核对。"
SEVERAL_LIKE = "系统里有几个孩子都对得上。请补上身份证号或学籍号。"
IN_OTHER_SCHOOL = "这个孩子登记在您管不到的学校。转学请联系乡镇管理员办理。"
TWO_VALUES = "这位大人在第{row}行填的不一样。请核对是哪一行错了。"
PERSON_NOT_YOURS = "这位大人的资料还关系到别的学校，不能从这里改姓名、电话或身份证号。请联系乡镇管理员。"
CHARGE_ELSEWHERE = "这一条任职登记的学校、班级、学科或开始日期不是这样。请把系统编号清空，另起一行登记新的任职。"
HAS_HEAD_TEACHER = "这个班已经有班主任了。换班主任请先在“班级”里办交接。"

# ------------------------------------------------------------------------------------------------------------- warnings
LIKELY_TWIN_ROW = "和第{row}行同名同生日，但号码不同。如果是同一个孩子，请删掉一行。"
LIKELY_ELSEWHERE = "镇里另一所学校有同名同生日的孩子，可能是转学来的。请核对。"
SAME_PHONE = "这个电话还登记在另一个名字下（第{row}行）。请核对是不是同一个人。"
SAME_PHONE_KNOWN = "这个电话在系统里登记在另一个名字下。请核对是不是同一个人。"
HARD_TO_TELL = "没有出生日期、身份证号和学籍号，下次导入可能认不出是同一个孩子。"
NO_PHONE = "没有监护人的电话，有急事联系不上。"
ODD_AGE = "按出生日期算，年龄不像这个年级的学生。请核对。"

# -------------------------------------------------------------------------------------------------------------- fields
FIELD_WORDS = {
    "school": "学校",
    "class": "班级",
    "name": "姓名",
    "sex": "性别",
    "birth_date": "出生日期",
    "id_number": "身份证号",
    "roster_number": "学籍号",
    "status": "在校情况",
    "guardian": "监护人",
    "relation": "关系",
    "phone": "电话",
    "acting": "实际照看",
    "kind": "任职",
    "subject": "学科",
    "since": "开始日期",
    "until": "结束日期",
}
STATUS_WORDS = {"enrolled": "在校", "left": "已离校", "graduated": "已毕业"}
STATE_WORDS = {
    "read": "正在核对",
    "faulty": "有错，未导入",
    "ready": "核对好了，等您导入",
    "applied": "已导入",
    "undone": "已撤销",
    "discarded": "已放弃",
}
ROW_STATE_WORDS = {
    "new": "新增",
    "changed": "有改动",
    "unchanged": "没有变化",
    "conflict": "对不上",
    "faulty": "填得不对",
    "vanishing": "名单里没有了",
}
KIND_WORDS = {"pupils": "学生名单", "staff": "教职工名单"}
COVERAGE_WORDS = {"classes": "表里写到的这几个班", "schools": "整个学校"}
PURPOSE_WORDS = {"check": "核对资料", "report": "上报", "print": "打印", "reimport": "改好再导入"}

# ------------------------------------------------------------------------------------------------------------ workbooks
SHEET_NAMES = {"pupils": "学生名单", "staff": "教职工名单"}
INSTRUCTIONS = "填写说明"
ABOUT_EXPORT = "导出说明"
FILE_NAMES = {
    "template": "{kind}模板.xlsx",
    "faults": "{kind}-请改正.xlsx",
    "export": "{kind}-{day}.xlsx",
}
INSTRUCTION_LINES = (
    "在“{sheet}”这一页填写，一行一个人。不要改表头，可以少填，不要合并单元格。",
    "空着的格子表示不改：系统里已有的内容不会被清掉。",
    "身份证号、学籍号、电话都按文本填，开头的0和最后的X会保留。从别处粘贴时请选“只粘贴值”。",
    "班级写成“三年级2班”就行，“三(2)班”“302班”“0302”也认得。",
    "上传以后先给您看会改什么，您点了“导入”才会写进系统；导入后还可以整批撤销。",
    "新学年请先在“班级”里升年级，再导入新名单。",
    "有错的行会连同“问题”一列还给您，改好再上传。",
)
COLUMN_NOTES = {
    "school": "学校全名。只管一所学校的可以不填。",
    "class": "必填。如：三年级2班、三(2)班、0302、大1班。",
    "name": "必填。真实姓名。",
    "sex": "男或女。填了身份证号可以不填。",
    "birth_date": "如：2017-05-06。填了身份证号可以不填。",
    "id_number": "18位，最后一位可能是X。没有可以不填。",
    "roster_number": "全国学籍号，如 G 开头的那一串。没有可以不填。",
    "guardian_name": "监护人真实姓名。最多填三位，没有就空着。",
    "relation": "从下拉框里选：爸爸、妈妈、爷爷、奶奶、外公、外婆、其他监护人。",
    "phone": "11位手机号，或带区号的座机号。",
    "acting": "平时真正照看孩子的人填“是”。孩子不跟父母住的，请务必填写。",
    "kind": "必填。从下拉框里选。一个人有几项任职就写几行。",
    "class_of_staff": "班主任和任课教师必填，写法和学生名单一样。",
    "subject": "任课教师教的学科，如：语文。",
    "since": "如：2026-09-01。不填就从今天开始。",
    "until": "一直任职就空着。",
    "system_id": "系统自己用的，请不要改；新来的人空着。",
}
COLUMN_HEAD = "列名"
NOTE_HEAD = "怎么填"
EXPORTED_BY = "导出人：{name}"
EXPORTED_FOR = "用途：{purpose}"
EXPORTED_AT = "导出时间：{at}"
EXPORTED_FILTER = "范围：{filter}"
EXPORTED_COUNT = "共{count}行"
HANDLE_WITH_CARE = "内有个人信息，用完请删除，不要转发。"
ALL_CLASSES = "全部班级"
ALL_SCHOOLS = "全部学校"
HEADER = "&L{sheet}&R{filter}"
FOOTER = "&L{name} {purpose} {at}&C第 &P 页，共 &N 页&R{care}"

# --------------------------------------------------------------------------------------------------------------- pages
MIDDLE_CHANGED = "（中间几位改了）"
MENU = "名单导入导出"
UPLOADED = "文件收到了，正在核对。"
APPLYING = "正在导入，请等进度走完。"
UNDOING = "正在撤销，请等进度走完。"
DISCARDED = "已经放弃，什么都没有改。"
