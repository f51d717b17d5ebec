"""The ledger as plain text for other accounting programs: beancount and hledger. Pure."""
