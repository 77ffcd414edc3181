"""Technical indicators from daily bars, and the run that keeps them.

`indicators` needs numpy and TA-Lib, so web processes import none of the modules here.
"""
