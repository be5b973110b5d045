"""Quality inspection: chats drawn by rule, judged by a sheet, with a second look and an appeal; and how well customers were served."""
