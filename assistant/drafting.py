"""Drafts of appeals and statements from a fact sheet. (Filled in with the drafts.)"""
