"""What runs in the bounded child process that reads one workbook.

The child is started as a folder (`python -I .../child`). Its modules import the standard library, calamine,
klyx.workbooks.limits, klyx.confinement and one another, nothing else of klyx: so it starts in some tens of
milliseconds.
"""
