"""The whole simulated Codat as one object: its world, its clock, and what follows from each thing that happens."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from random import Random

from worker.simulator.clock import Clock, Timetable
from worker.simulator.delivery import Consumer, Post, Signer
from worker.simulator.faults import CONTRADICTION, Faults, Occasion
from worker.simulator.idempotency import IdempotencyCache
from worker.simulator.journal import Journal
from worker.simulator.limits import QUOTA_PER_COMPANY, Limits
from worker.simulator.pushes import PushDesk, PushOperation, PushStatus
from worker.simulator.rules import DataType
from worker.simulator.settings import SimulatorOptions, Span
from worker.simulator.syncs import View, first_view
from worker.simulator.webhooks import (
    connection_changed,
    feed_changed,
    legacy_connection_status,
    legacy_push_status,
    legacy_push_timed_out,
    legacy_sync_completed,
    rate_limit,
    read_completed,
    write_finished,
)
from worker.simulator.world import (
    Company,
    Connection,
    ConnectionStatus,
    FeedStatus,
    SourceAccount,
    build_world,
    new_guid,
    new_record_id,
)
from worker.simulator.writes import Desk, new_bank_account


class Simulator:
    """State and consequences. The HTTP layer reads it and calls its methods; it must live inside an event loop."""

    def __init__(self, options: SimulatorOptions) -> None:
        self.options = options
        self.clock = Clock(options.starts_at or datetime.now(UTC), options.speed, time.monotonic_ns)
        self.timetable = Timetable(self.clock)
        self._fill(options.seed)

    async def reset(self, seed: int | None) -> None:
        """Starts over with the companies of ``seed`` (the first seed when None); time goes on."""
        self.timetable.clear()
        await self.post.close()
        self._fill(self.options.seed if seed is None else seed)

    def _fill(self, seed: int) -> None:
        options, now, after = self.options, self.clock.now, self.timetable.after
        self.seed = seed
        self.rng = Random(f"{seed}:events")
        self.companies = build_world(seed, now())
        self.views: dict[str, View] = {c.id: first_view(c, now()) for c in self.companies.values()}
        self.faults = Faults(Random(f"{seed}:faults"))
        self.idempotency = IdempotencyCache(now)
        self.journal = Journal()
        self.limits = Limits(
            now, self.daily_quota, self.quota_spent, options.requests_per_minute, options.in_flight_per_company
        )
        self.pushes = PushDesk(now, after, lambda: self.draw(options.push_delay), self.push_settled)
        self.post = Post(
            now=now,
            wall=lambda: datetime.now(UTC),
            after=after,
            real_seconds=self.clock.real_seconds,
            faults=self.faults,
            signer=Signer(options.webhook_secret, options.header_style),
            legacy_url=options.legacy_webhook_url,
            legacy_authorization=options.legacy_authorization,
        )
        if options.webhook_url is not None:
            consumer = Consumer(self.guid(), options.webhook_url)
            self.post.consumers[consumer.id] = consumer

    def admit(self, seed: int) -> list[Company]:
        """Adds the companies of one more seed; nothing when they are there already."""
        now = self.clock.now()
        added = {key: company for key, company in build_world(seed, now).items() if key not in self.companies}
        self.companies |= added
        self.views |= {company.id: first_view(company, now) for company in added.values()}
        return list(added.values())

    def guid(self) -> str:
        """A new GUID out of the seed."""
        return new_guid(self.rng)

    def draw(self, span: Span) -> timedelta:
        """A delay out of the seed, to the microsecond."""
        width = (span.longest - span.shortest) // timedelta(microseconds=1)
        return span.shortest + timedelta(microseconds=self.rng.randint(0, width))

    def daily_quota(self) -> int:
        """Requests allowed today."""
        if self.options.daily_quota is not None:
            return self.options.daily_quota
        return QUOTA_PER_COMPANY * (1 + sum(company.is_connected for company in self.companies.values()))

    def quota_spent(self) -> None:
        """Says that today's last request is spent, and at midnight that there are new ones."""
        quota, expires_at = self.daily_quota(), self.limits.resets_at()
        self.post.send(rate_limit(self.guid(), "reached", quota, 0, expires_at))

        def whole_again() -> None:
            quota = self.daily_quota()
            self.post.send(rate_limit(self.guid(), "reset", quota, quota, self.limits.resets_at()))

        self.timetable.after(expires_at - self.clock.now(), whole_again)

    def desk(self, company: Company, connection: Connection) -> Desk:
        """Where writes to this company's books are carried out."""
        return Desk(company.books, connection.platform, lambda: new_record_id(self.rng, company.ids), self.clock.now)

    def push_settled(self, operation: PushOperation) -> None:
        """Webhooks, old and new, about a push that changed status; then the sync it may bring."""
        data_type = operation.data_type
        occasion = Occasion(data_type=data_type, company_id=operation.company.id)
        self.post.send(write_finished(self.guid(), operation, operation.status), data_type)
        self.post.send_legacy(legacy_push_status(self.guid(), operation), data_type)
        if operation.status is PushStatus.TIMED_OUT:
            self.post.send_legacy(legacy_push_timed_out(self.guid(), operation), data_type)
        if self.faults.take(CONTRADICTION, occasion) is not None:
            succeeded = operation.status is PushStatus.SUCCESS
            opposite = PushStatus.FAILED if succeeded else PushStatus.SUCCESS
            self.post.send(write_finished(self.guid(), operation, opposite), data_type)
        if operation.status is PushStatus.SUCCESS and operation.syncs:
            self.sync(
                operation.company, operation.connection, tuple({change.data_type for change in operation.changes})
            )

    def sync(self, company: Company, connection: Connection, data_types: tuple[DataType, ...]) -> None:
        """Starts reading these data types; a running read of one is joined."""
        view = self.views[company.id]
        view.running.update(data_types)
        self.timetable.after(
            self.draw(self.options.sync_delay), lambda: self._sync_done(company, connection, data_types)
        )

    def _sync_done(self, company: Company, connection: Connection, data_types: tuple[DataType, ...]) -> None:
        if not connection.connector_on:
            connection.waiting.append(lambda: self._sync_done(company, connection, data_types))
            return
        view = self.views[company.id]
        for data_type in data_types:
            view.read(company, data_type, self.clock.now())
            alert = legacy_sync_completed(self.guid(), self.guid(), company, connection, data_type)
            self.post.send_legacy(alert, data_type)
        connection.last_sync = self.clock.now()
        self.post.send(read_completed(self.guid(), company, connection, data_types))

    def set_connection(self, company: Company, connection: Connection, status: ConnectionStatus) -> None:
        """Moves a connection to another state and says so."""
        old = connection.status
        if old is status:
            return
        connection.status = status
        if status is ConnectionStatus.LINKED:
            event_type = "connection.connected" if old is ConnectionStatus.PENDING else "connection.reconnected"
        else:
            event_type = "connection.disconnected"
        self.post.send(connection_changed(self.guid(), event_type, company, connection))
        self.post.send_legacy(legacy_connection_status(self.guid(), company, connection, old))

    def set_connector(self, connection: Connection, *, on: bool) -> None:
        """Turns the office computer of an on-premise platform off, or on: then it does what waited for it, in order."""
        connection.connector_on = on
        if not on:
            return
        waiting, connection.waiting = connection.waiting, []

        def catch_up() -> None:
            for action in waiting:
                action()

        self.timetable.after(self.draw(self.options.push_delay), catch_up)

    def connect_feed(self, company: Company, connection: Connection, source: SourceAccount) -> None:
        """Finishes a mapping after a while: the target account is made where it is missing, and lines may come."""

        def connected() -> None:
            if source.status is not FeedStatus.CONNECTING:
                return
            if source.target is None:
                self.make_target(company, connection, source)
            source.status = FeedStatus.CONNECTED
            self.post.send(feed_changed(self.guid(), company, connection, source, "connected"))

        self.timetable.after(self.draw(self.options.feed_delay), connected)

    def make_target(self, company: Company, connection: Connection, source: SourceAccount) -> None:
        """Opens the bank account in the books that a source account without a target asked for."""
        kind = (
            "Credit" if source.body.get("accountType") in {"creditCard", "prepaidCard", "Credit", "loan"} else "Debit"
        )
        name = str(source.body.get("accountName") or source.id)
        account = new_bank_account(self.desk(company, connection), name, source.currency, kind)
        account.details = {part: source.body.get(part) for part in ("sortCode", "accountNumber")}
        source.target = account.id
        self.sync(company, connection, (DataType.BANK_ACCOUNTS, DataType.ACCOUNTS))

    def disconnect_feed(self, company: Company, connection: Connection, source: SourceAccount) -> None:
        """Switches a feed off; its account and its lines stay in the books."""
        source.status = FeedStatus.DISCONNECTED
        self.post.send(feed_changed(self.guid(), company, connection, source, "disconnected"))
