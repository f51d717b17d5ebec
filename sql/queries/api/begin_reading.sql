-- Plans the statements of this transaction for their own values, so that a filter left out costs nothing.
set local plan_cache_mode = force_custom_plan
