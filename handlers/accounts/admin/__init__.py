"""Pages about people: classes, pupils, staff, and how families are bound."""
