"""The whole R side beside Robyn as it is: time, memory and artifacts."""
