"""The scripted provider: a model API played from scenario files, with a bill of its own.

Nothing here may import the ledger, its prices or its way of reading usage: the bill is the
independent witness that the ledger is compared with.
"""
