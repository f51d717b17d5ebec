"""``/openapi.json``: the OpenAPI 3.1 document of everything this program answers.

As much as possible is taken from the code that answers, so that it cannot say anything else: paths out of the router,
requests by rehearsing the handlers that read them, answers from the types that handlers return.
"""
