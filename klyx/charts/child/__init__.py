"""What runs in the bounded child process that draws one chart: matplotlib, and nothing of klyx but `confinement`."""
