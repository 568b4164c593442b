"""How the owner writes elsewhere: exports of posts, letters, mails and chats become pairs, and are never searched or cited."""
