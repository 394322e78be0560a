"""Schedules for people: in words, as the times ahead, and what is wrong with one."""
