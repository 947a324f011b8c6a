"""What a command tells to those who read no terminal: JUnit, SARIF and GitHub."""
