"""The command ``zeming account``: accounts of an office, from the terminal. (Filled in with the accounts.)"""
