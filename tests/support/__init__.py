"""What tests of several layers share: a client, pictures, and waiting."""
