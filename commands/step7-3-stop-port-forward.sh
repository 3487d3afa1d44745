kill %1
