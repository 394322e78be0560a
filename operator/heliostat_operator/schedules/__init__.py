"""When agents run by themselves: times, their starts and ends, who fires them."""
