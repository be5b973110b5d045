"""Lists of people for campaigns: uploaded, pasted or picked, found among the customers that the uploader sees."""
