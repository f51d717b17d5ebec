"""A bank feed's accounts, as far as Codat can tell of them."""

from __future__ import annotations

from worker.codat.connection import FeedAccount
from worker.codat.replies import Found, ReadReply
from worker.writeback.desk import Desk
from worker.writeback.situation import KnownConnection


async def read_feed(
    desk: Desk, connection: KnownConnection, source_account_id: str, target_account_id: str | None
) -> ReadReply[FeedAccount | None]:
    """One source account of a feed's connection, None when there is none.

    Where the borrower joins it inside the platform, Codat tells that it is joined and not to which account: then it
    is taken to feed ``target_account_id``, which is what they were asked to choose.
    """
    through_api = connection.traits.feed.mapped_through_api
    listed = desk.codat.list_mappings if through_api else desk.codat.list_source_accounts
    reply = await listed(connection.company_id, connection.connection_id)
    if not isinstance(reply, Found):
        return reply
    feed = next((feed for feed in reply.value if feed.source_id == source_account_id), None)
    return Found(feed if feed is None or through_api else feed.joined_to(target_account_id))
