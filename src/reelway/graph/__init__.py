"""What may connect: filters, options, capabilities, PIDs, links, the resolver. Never here: av, threads."""
