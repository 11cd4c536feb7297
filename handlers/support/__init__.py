"""The way to people, for everybody: greeting, menu, help, and handing a matter over to somebody on duty.

A hand-over is a record with an owner: open → claimed → answered → closed; one that was made because a child may be in
danger begins as urgent. Owners come from `[support] duty`. They work in their own chat, with the number of the matter:
待办, 查看, 受理, 回复, 关闭. Leaving the account erases what WeChat gave and what only the chat needed.
"""
