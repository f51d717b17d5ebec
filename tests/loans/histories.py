"""Consistent lives of a loan, as a loan system could have lived them: every event fits those before it."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from random import Random

from tests.loans.events import Delivery, LoanSystem


@dataclass
class Life:
    """A loan system living through a loan, remembering only what keeps its next event possible."""

    random: Random
    recognition: str
    shares: dict[str, str]
    system: LoanSystem = field(default_factory=LoanSystem)
    told: list[Delivery] = field(default_factory=list)
    owed: dict[str, int] = field(default_factory=lambda: {"principal": 0, "interest": 0, "fees": 0})
    over: int = 0
    refundable: int = 0
    recoverable: int = 0
    waivable: dict[str, int] = field(default_factory=dict)
    settled: dict[str, dict[str, int]] = field(default_factory=dict)
    rebated: dict[str, int] = field(default_factory=dict)
    due: dict[str, dict[str, int]] = field(default_factory=dict)

    def tell(self, delivery: Delivery) -> None:
        """Send it; whatever happens next happens on another business day."""
        self.told.append(delivery)
        self.system.day = f"2026-03-{self.random.randint(1, 31):02}"

    def earn(self, interest: int) -> None:
        """Investors earn at least the floor of their shares; what exactly is the worker's business."""
        for investor_id, share in self.shares.items():
            due = self.due.setdefault(investor_id, {"principal": 0, "interest": 0})
            due["interest"] += int(Decimal(share) * interest)

    def begin(self) -> None:
        self.tell(self.system.create(self.recognition, **self.shares))
        self.draw()

    def draw(self) -> None:
        amount = self.random.randint(1, 100_000)
        interest = self.random.randint(0, 9_999) if self.recognition == "at_disbursement" else 0
        fee = self.random.choice([0, self.random.randint(0, amount)])
        self.owed["principal"] += amount
        self.owed["interest"] += interest
        self.earn(interest)
        drawdown_id = f"D{len(self.told)}"
        self.tell(
            self.system.tell("loan.disbursed", drawdown_id=drawdown_id, amount=amount, interest=interest, fee=fee)
        )

    def accrue(self) -> None:
        if self.recognition == "accrual":
            amount = self.random.randint(1, 9_999)
            self.owed["interest"] += amount
            self.earn(amount)
            self.tell(self.system.tell("loan.interest_accrued", accrual_id=f"A{len(self.told)}", amount=amount))

    def charge(self) -> None:
        fee_id, amount = f"F{len(self.told)}", self.random.randint(1, 5_000)
        self.owed["fees"] += amount
        self.waivable[fee_id] = amount
        self.tell(self.system.tell("loan.fee_charged", fee_id=fee_id, amount=amount, kind="late"))

    def waive(self) -> None:
        for fee_id, charged in list(self.waivable.items()):
            amount = min(charged, self.owed["fees"])
            if amount:
                del self.waivable[fee_id]
                self.owed["fees"] -= amount
                self.tell(self.system.tell("loan.fee_waived", fee_id=fee_id, amount=amount, kind="late"))
                return

    def repay(self) -> None:
        split = {part: self.random.choice([0, owed, self.random.randint(0, owed)]) for part, owed in self.owed.items()}
        over = self.random.choice([0, 0, self.random.randint(1, 2_000)])
        self.pay(split, over)

    def pay(self, split: dict[str, int], over: int) -> None:
        if sum(split.values()) + over == 0:
            return
        repayment_id = f"R{len(self.told)}"
        how = self.random.choice(["at once", "as initiated", "with another split"])
        if how == "as initiated" and any(split.values()):
            self.tell(self.system.initiate(repayment_id, **split))
        elif how == "with another split":
            self.tell(self.system.initiate(repayment_id, principal=sum(split.values()) + over))
        for part, amount in split.items():
            self.owed[part] -= amount
        self.over += over
        self.refundable += over
        self.settled[repayment_id] = split | {"over": over}
        cash = sum(split.values()) + over
        tender = {}
        if unapplied := self.random.choice([0, 0, self.random.randint(0, cash)]):
            self.tell(self.system.tell("cash.received", amount=unapplied))
            tender["unapplied_cash"] = unapplied
        if cost := self.random.choice([0, 0, self.random.randint(0, cash - unapplied)]):
            tender["processing_cost"] = cost
        self.tell(self.system.settle(repayment_id, **split, over=over, **tender))

    def fail(self) -> None:
        repayment_id = f"R{len(self.told)}"
        self.tell(self.system.initiate(repayment_id, principal=self.random.randint(1, 9_999)))
        self.tell(self.system.fail(repayment_id))

    def reverse(self) -> None:
        if not self.settled:
            return
        repayment_id = self.random.choice(sorted(self.settled))
        taken_back = self.settled.pop(repayment_id)
        self.over -= taken_back.pop("over")
        for part, amount in taken_back.items():
            self.owed[part] += amount
        self.tell(self.system.reverse(repayment_id))

    def rebate(self) -> None:
        if self.owed["interest"]:
            rebate_id, amount = f"B{len(self.told)}", self.random.randint(1, self.owed["interest"])
            self.owed["interest"] -= amount
            self.rebated[rebate_id] = amount
            self.tell(self.system.rebate(rebate_id, amount))

    def take_rebate_back(self) -> None:
        if self.rebated:
            rebate_id = self.random.choice(sorted(self.rebated))
            self.owed["interest"] += self.rebated.pop(rebate_id)
            self.tell(self.system.reverse_rebate(rebate_id))

    def refund(self) -> None:
        if self.refundable:
            amount = self.random.randint(1, self.refundable)
            self.refundable -= amount
            self.over -= amount
            self.tell(self.system.tell("loan.refunded", refund_id=f"X{len(self.told)}", amount=amount))

    def write_off(self) -> None:
        split = {part: self.random.randint(0, owed) for part, owed in self.owed.items()}
        if sum(split.values()):
            for part, amount in split.items():
                self.owed[part] -= amount
            self.recoverable += sum(split.values())
            losses, left = {}, split["principal"]
            for investor_id in self.shares:
                if borne := self.random.randint(0, left):
                    losses[investor_id] = borne
                    left -= borne
            self.tell(self.system.lose(losses, **split))

    def recover(self) -> None:
        if self.recoverable:
            amount = self.random.randint(1, self.recoverable)
            self.recoverable -= amount
            self.tell(self.system.tell("loan.recovered", amount=amount))

    def contribute(self) -> None:
        investor_id = self.random.choice(["MoneyNow", "Jane"])
        amount = self.random.randint(1, 50_000)
        self.due.setdefault(investor_id, {"principal": 0, "interest": 0})["principal"] += amount
        self.tell(self.system.tell("capital.contributed", investor_id=investor_id, amount=amount))

    def distribute(self) -> None:
        for investor_id, due in self.due.items():
            paid = {part: self.random.randint(0, amount) for part, amount in due.items()}
            if sum(paid.values()):
                self.due[investor_id] = {part: amount - paid[part] for part, amount in due.items()}
                self.tell(self.system.tell("capital.distributed", investor_id=investor_id, **paid))
                return

    def sweep(self) -> None:
        self.tell(self.system.tell("cash.swept", amount=self.random.randint(1, 9_999)))

    def spend(self) -> None:
        self.tell(self.system.tell("expense.incurred", amount=self.random.randint(1, 999), kind="bank fee"))

    def pay_off_and_close(self) -> None:
        """Everything owed is paid, every overpayment refunded; where refunds outran overpayments, paid again."""
        self.pay(dict(self.owed), over=max(0, -self.over))
        while self.over > 0:
            self.refundable -= self.over
            amount, self.over = self.over, 0
            self.tell(self.system.tell("loan.refunded", refund_id="X-last", amount=amount))
        self.tell(self.system.tell("loan.closed"))


def live(seed: int, events: int = 12, loan_id: str = "L1") -> list[Delivery]:
    """One consistent life, in the order in which it happened; the same seed lives the same life."""
    random = Random(seed)
    recognition = random.choice(["accrual", "at_disbursement"])
    shares = random.choice([{}, {"MoneyNow": "0.5"}, {"MoneyNow": "0.333", "Jane": "0.25"}, {"Jane": "1"}])
    life = Life(random, recognition, shares, LoanSystem(loan_id))
    life.begin()
    actions = [
        life.draw, life.accrue, life.charge, life.waive, life.repay, life.repay, life.repay, life.fail, life.reverse,
        life.reverse, life.rebate, life.take_rebate_back, life.refund, life.write_off, life.recover,
        life.contribute, life.distribute, life.sweep, life.spend,
    ]  # fmt: skip
    for _ in range(events):
        random.choice(actions)()
    if random.random() < 0.5:
        life.pay_off_and_close()
    return life.told
