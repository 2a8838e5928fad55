"""What pages share: who may open them, their headers, lists, words and errors."""
