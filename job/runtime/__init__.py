"""The process around the work: settings, logs, signals, disk, progress, machine."""
