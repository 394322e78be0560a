-- Takes back an opening that nobody acted on. 1 id
return {release(ARGV[1]) and 'ok' or 'done'}
