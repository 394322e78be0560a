"""Runs one attempt of an Execution inside the pod. Imports nothing of Heliostat."""
