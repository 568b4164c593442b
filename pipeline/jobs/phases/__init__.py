"""`sitetwin train --phases`: one data set, trained too little, right and too much."""
