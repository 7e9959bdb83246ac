"""What surrounds the work: settings, logs, signals, disk, progress, the machine."""
