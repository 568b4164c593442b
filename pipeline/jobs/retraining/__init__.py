"""`sitetwin retrain`: data set, training, comparison and promotion as one job in the background."""
