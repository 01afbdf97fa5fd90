"""What Darkroom keeps and who may change it: groups, emails, subscribers, tasks, statistics, blobs and the archive."""
