"""What a file would become: brought through the stages in a home that is gone afterwards."""
