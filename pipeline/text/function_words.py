"""English words that say nothing about a subject."""

STOP_WORDS = frozenset(
    """
    a about am an and any are as at be been being but by can could did do does doing for from had has have
    having he her hers him his how i if in into is it its itself just me my no nor not of on or our ours she
    should so some such than that the their theirs them then there these they this those to too us was we were
    what when where which while who whom why will with would you your yours
    """.split()
)
"""Words that a keyword search leaves out. A question such as `how to use it` still needs words that stand only below."""

FUNCTION_WORDS = STOP_WORDS | frozenset(
    """
    after all also anything aren't because before can't cannot couldn't didn't doesn't don't else every get give
    go hasn't haven't here i'd i'll i'm i've isn't it's know let like look made make makes many may might mine
    more most much must need off once one only other out over own please say says shall shouldn't show something
    still take tell that's thing things through under until up upon use used uses using very want wasn't way
    we're well what's where's who's whose won't work works wouldn't yes yet you're
    """.split()
)
"""Words that any question is made of, whatever it is about."""
