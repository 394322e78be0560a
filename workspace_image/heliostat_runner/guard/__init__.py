"""The guard of a run: asks about risky actions before they happen, and sees that none slips by."""
