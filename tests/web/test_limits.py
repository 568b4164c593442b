from web.limits import RateLimit, Slots, visitor_key


def test_questions_beyond_the_limit_wait_until_the_oldest_is_a_minute_old():
    now = [100.0]
    limit = RateLimit(2, lambda: now[0])
    assert [limit.take("a"), limit.take("a")] == [0.0, 0.0]
    now[0] = 110.0
    assert limit.take("a") == 50.0
    now[0] = 160.0
    assert limit.take("a") == 0.0


def test_a_refused_question_does_not_count():
    now = [0.0]
    limit = RateLimit(1, lambda: now[0])
    limit.take("a")
    for now[0] in (10.0, 59.0):
        assert limit.take("a") > 0
    now[0] = 60.0
    assert limit.take("a") == 0.0


def test_one_visitor_does_not_use_up_anothers_questions():
    limit = RateLimit(1, lambda: 0.0)
    assert [limit.take("a"), limit.take("b")] == [0.0, 0.0]


def test_visitors_of_long_ago_are_forgotten_and_recent_ones_are_not():
    now = [0.0]
    limit = RateLimit(1, lambda: now[0])
    for number in range(9_999):
        limit.take(str(number))
    now[0] = 30.0
    limit.take("recent")
    now[0] = 61.0
    assert limit.take("recent") > 0
    assert len(limit._asked) == 1


def test_slots_are_given_back_also_after_an_error():
    slots = Slots(1)
    try:
        with slots.one() as got, slots.one() as second:
            assert (got, second, slots.full) == (True, False, True)
            raise KeyError
    except KeyError:
        pass
    assert not slots.full


def test_a_home_is_one_visitor_whatever_address_of_its_network_it_uses():
    assert visitor_key("2001:db8:1:2:aaaa::1") == visitor_key("2001:db8:1:2:bbbb::9")
    assert visitor_key("2001:db8:1:2::1") != visitor_key("2001:db8:1:3::1")
    assert visitor_key("::ffff:192.0.2.7") == visitor_key("192.0.2.7")
    assert visitor_key("testclient") == "testclient"
