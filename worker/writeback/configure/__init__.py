"""Configuring a connection: a person says which accounts to use, what is missing is created through Codat.

``request`` reads what they said, ``checks`` compares it with the borrower's books, ``creatable`` and ``vetting`` hold
what is to be created against the connection's options model, ``feeds`` looks at its bank feed, ``service`` stores a new
version, and ``creation`` drives the saga that creates what has no id yet, with the same steps that write loans.
"""
