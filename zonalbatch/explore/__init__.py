"""Exploring: what a run wrote, as tables, cubes, series, pictures, a map, a report.

result files ─► rows (selection) ─► frame │ cube │ series ─► smoothed, filled, anomaly, seasons
"""
