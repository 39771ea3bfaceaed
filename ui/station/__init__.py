"""The picture of the station: a front elevation that a person can touch.

Scene units are those of the design drawing: the ground lies at y 512, cars are 196 wide. `geometry`
says where things stand, `views` turns a snapshot into words, the painters (`scenery`, `bay`, `car`,
`cable`, `cabinet`, `screen`, `header`) paint, `canvas` puts it together and `hotspots` are the
child buttons that make every act reachable by keyboard and by name.
"""
