"""The writeback station: a movement of money becomes a saga, a saga its steps, a step one push operation at Codat.

``movement`` says what must happen in the borrower's books. ``plan`` turns it, with one version of the company's
``mapping``, into ordered steps. ``saga`` drives the steps: intention first, then the request, then what came back.
``settlement`` hears Codat's webhooks and believes none of them: it only wakes the saga, which reads for itself.
``resolve`` looks for what an ambiguous request may have written, and only what is proven absent is sent again.

Promise: every step of every saga ends as exactly one record in the borrower's books, or waits visibly for whoever
must act; nothing is lost and nothing is written twice.
"""
