"""What Cloud Storage's limit of one write a second costs a run, its tasks and its market."""
