"""What 乡校 knows: curated plans and entries, and the retrieval that answers from them.

A plain library: it imports neither `bot` nor `handlers`, needs no network, no database and no language model.
"""
